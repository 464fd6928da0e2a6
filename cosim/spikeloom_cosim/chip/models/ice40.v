// iCE40 cells for a simulator with two states, beside those that yosys ships.
//
// The logic is yosys' (`+/ice40/cells_sim.v`), written such that it simulates fast; a pin that is
// not connected has been tied to what the device pulls it to. Not modelled: registered and DDR pins,
// and a clock out of a PLL other than its reference: the bench's clock is the one behind the PLL.

module SB_LUT4 (output O, input I0, I1, I2, I3);
  parameter [15:0] LUT_INIT = 0;
  assign O = LUT_INIT[{I3, I2, I1, I0}];
endmodule

module ICESTORM_LC (
  input I0, I1, I2, I3, CIN, CLK, CEN, SR,
  output LO, O, COUT
);
  parameter [15:0] LUT_INIT = 0;
  parameter [0:0] NEG_CLK = 0;
  parameter [0:0] CARRY_ENABLE = 0;
  parameter [0:0] DFF_ENABLE = 0;
  parameter [0:0] SET_NORESET = 0;
  parameter [0:0] ASYNC_SR = 0;
  parameter [0:0] CIN_CONST = 0;
  parameter [0:0] CIN_SET = 0;

  wire carry_in = CIN_CONST ? CIN_SET : CIN;
  assign COUT = CARRY_ENABLE && (I1 && I2 || (I1 || I2) && carry_in);
  assign LO = LUT_INIT[{I3, I2, I1, I0}];
  generate
    if (!DFF_ENABLE)
      assign O = LO;
    else begin
      wire clk = CLK ^ NEG_CLK;
      reg q = 0;
      assign O = q;
      if (ASYNC_SR)
        always @(posedge clk, posedge SR)
          if (SR) q <= SET_NORESET;
          else if (CEN) q <= LO;
      if (!ASYNC_SR)
        always @(posedge clk)
          if (CEN) q <= SR ? SET_NORESET : LO;
    end
  endgenerate
endmodule

module SB_IO (
  inout PACKAGE_PIN,
  input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
  output D_IN_0, D_IN_1
);
  parameter [5:0] PIN_TYPE = 6'b000000;
  parameter [0:0] PULLUP = 0;
  parameter [0:0] NEG_TRIGGER = 0;
  parameter IO_STANDARD = "SB_LVCMOS";

  assign D_IN_0 = PACKAGE_PIN;
  generate
    case (PIN_TYPE)
      6'b000001: ;
      6'b011001: assign PACKAGE_PIN = D_OUT_0;
      6'b101001: assign PACKAGE_PIN = OUTPUT_ENABLE ? D_OUT_0 : 1'bz;
      default: $error("a pin of a type without a model");
    endcase
  endgenerate
endmodule

module SB_PLL40_PAD (
  input PACKAGEPIN, EXTFEEDBACK, BYPASS, RESETB, LATCHINPUTVALUE, SDI, SCLK,
  input [7:0] DYNAMICDELAY,
  output PLLOUTCORE, PLLOUTGLOBAL, LOCK, SDO
);
  parameter FEEDBACK_PATH = "SIMPLE";
  parameter DELAY_ADJUSTMENT_MODE_FEEDBACK = "FIXED";
  parameter DELAY_ADJUSTMENT_MODE_RELATIVE = "FIXED";
  parameter SHIFTREG_DIV_MODE = 0;
  parameter FDA_FEEDBACK = 0;
  parameter FDA_RELATIVE = 0;
  parameter PLLOUT_SELECT = "GENCLK";
  parameter DIVR = 0;
  parameter DIVF = 0;
  parameter DIVQ = 0;
  parameter FILTER_RANGE = 0;
  parameter ENABLE_ICEGATE = 0;
  parameter TEST_MODE = 0;

  assign PLLOUTCORE = PACKAGEPIN;
  assign PLLOUTGLOBAL = PACKAGEPIN;
  assign LOCK = RESETB;
endmodule

module SB_SPRAM256KA (
  input [13:0] ADDRESS,
  input [15:0] DATAIN,
  input [3:0] MASKWREN,
  input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF,
  output reg [15:0] DATAOUT
);
  // Without initial contents, and without an output after a write: both are random.
  reg [15:0] mem [0:16383];
  always @(posedge CLOCK) if (CHIPSELECT && !STANDBY && !SLEEP && POWEROFF) begin
    DATAOUT <= WREN ? 16'bx : mem[ADDRESS];
    if (WREN && MASKWREN[0]) mem[ADDRESS][3:0] <= DATAIN[3:0];
    if (WREN && MASKWREN[1]) mem[ADDRESS][7:4] <= DATAIN[7:4];
    if (WREN && MASKWREN[2]) mem[ADDRESS][11:8] <= DATAIN[11:8];
    if (WREN && MASKWREN[3]) mem[ADDRESS][15:12] <= DATAIN[15:12];
  end
endmodule

module ICESTORM_PLL (
  input REFERENCECLK, RESETB, BYPASS, EXTFEEDBACK, LATCHINPUTVALUE, SDI, SCLK,
  input [7:0] DYNAMICDELAY,
  output PLLOUT_A, PLLOUT_A_GLOBAL, LOCK, SDO
);
  parameter FEEDBACK_PATH = 0;
  parameter DELAY_ADJMODE_FB = 0;
  parameter DELAY_ADJMODE_REL = 0;
  parameter SHIFTREG_DIVMODE = 0;
  parameter FDA_FEEDBACK = 0;
  parameter FDA_RELATIVE = 0;
  parameter PLLOUT_SELECT_A = 0;
  parameter PLLOUT_SELECT_B = 0;
  parameter PLLTYPE = 0;
  parameter DIVR = 0;
  parameter DIVF = 0;
  parameter DIVQ = 0;
  parameter FILTER_RANGE = 0;
  parameter ENABLE_ICEGATE_PORTA = 0;
  parameter ENABLE_ICEGATE_PORTB = 0;
  parameter TEST_MODE = 0;

  assign PLLOUT_A = REFERENCECLK;
  assign PLLOUT_A_GLOBAL = REFERENCECLK;
  assign LOCK = RESETB;
endmodule
