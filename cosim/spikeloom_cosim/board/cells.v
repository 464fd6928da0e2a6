// Cells that the boards' tops instantiate, as far as a simulation of the RTL needs them: pins pass
// what is on them, and a PLL passes the bench's clock, which is the core's.

module SB_IO #(
  parameter [5:0] PIN_TYPE = 0,
  parameter [0:0] PULLUP = 0,
  parameter IO_STANDARD = "SB_LVCMOS"
) (
  inout PACKAGE_PIN,
  input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
  output D_IN_0, D_IN_1
);
  assign D_IN_0 = PACKAGE_PIN;
  assign D_IN_1 = 0;
  generate
    case (PIN_TYPE)
      6'b000001: ;
      6'b011001: assign PACKAGE_PIN = D_OUT_0;
      6'b101001: assign PACKAGE_PIN = OUTPUT_ENABLE ? D_OUT_0 : 1'bz;
      default: $error("a pin of a type without a model");
    endcase
  endgenerate
endmodule

module SB_PLL40_PAD #(
  parameter FEEDBACK_PATH = "SIMPLE",
  parameter DIVR = 0,
  parameter DIVF = 0,
  parameter DIVQ = 0,
  parameter FILTER_RANGE = 0
) (
  input PACKAGEPIN, RESETB, BYPASS,
  output PLLOUTCORE, PLLOUTGLOBAL, LOCK
);
  assign PLLOUTCORE = PACKAGEPIN;
  assign PLLOUTGLOBAL = PACKAGEPIN;
  assign LOCK = RESETB;
endmodule

module SB_PLL40_CORE #(
  parameter FEEDBACK_PATH = "SIMPLE",
  parameter DIVR = 0,
  parameter DIVF = 0,
  parameter DIVQ = 0,
  parameter FILTER_RANGE = 0
) (
  input REFERENCECLK, RESETB, BYPASS,
  output PLLOUTCORE, PLLOUTGLOBAL, LOCK
);
  assign PLLOUTCORE = REFERENCECLK;
  assign PLLOUTGLOBAL = REFERENCECLK;
  assign LOCK = RESETB;
endmodule

module SB_RGBA_DRV #(
  parameter CURRENT_MODE = "0b0",
  parameter RGB0_CURRENT = "0b000000",
  parameter RGB1_CURRENT = "0b000000",
  parameter RGB2_CURRENT = "0b000000"
) (
  input CURREN, RGBLEDEN, RGB0PWM, RGB1PWM, RGB2PWM,
  output RGB0, RGB1, RGB2
);
  assign {RGB2, RGB1, RGB0} = ~{RGB2PWM, RGB1PWM, RGB0PWM};
endmodule

module IB (input I, output O);
  assign O = I;
endmodule

module OBZ (input I, T, output O);
  assign O = T ? 1'bz : I;
endmodule

module EHXPLLL #(
  parameter CLKI_DIV = 1,
  parameter CLKFB_DIV = 1,
  parameter CLKOP_DIV = 8,
  parameter CLKOS_DIV = 8,
  parameter CLKOP_ENABLE = "ENABLED",
  parameter CLKOS_ENABLE = "DISABLED",
  parameter CLKOP_CPHASE = 0,
  parameter CLKOP_FPHASE = 0,
  parameter CLKOS_CPHASE = 0,
  parameter CLKOS_FPHASE = 0,
  parameter DPHASE_SOURCE = "DISABLED",
  parameter FEEDBK_PATH = "CLKOP",
  parameter INTFB_WAKE = "DISABLED",
  parameter OUTDIVIDER_MUXA = "DIVA",
  parameter OUTDIVIDER_MUXB = "DIVB",
  parameter PLLRST_ENA = "DISABLED",
  parameter STDBY_ENABLE = "DISABLED"
) (
  input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
  input PLLWAKESYNC, ENCLKOP, ENCLKOS,
  output CLKOP, CLKOS, LOCK
);
  assign CLKOP = CLKI;
  assign CLKOS = CLKI;
  assign LOCK = 1;
endmodule
