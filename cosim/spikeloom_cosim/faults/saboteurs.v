// What is spliced into the nets of a core to make it fail. Each does nothing but while `fault` is
// its NUMBER, so that one compiled core carries them all.

// Inverts the bits of MASK.
module saboteur_flip #(parameter WIDTH = 1, parameter NUMBER = 1, parameter MASK = 1) (
  input [15:0] fault, input [WIDTH-1:0] in, output [WIDTH-1:0] out
);
  assign out = fault == NUMBER ? in ^ MASK : in;
endmodule

// Says VALUE, whatever it is told.
module saboteur_stuck #(parameter WIDTH = 1, parameter NUMBER = 1, parameter VALUE = 0) (
  input [15:0] fault, input [WIDTH-1:0] in, output [WIDTH-1:0] out
);
  assign out = fault == NUMBER ? VALUE : in;
endmodule

// Adds one.
module saboteur_increment #(parameter WIDTH = 1, parameter NUMBER = 1) (
  input [15:0] fault, input [WIDTH-1:0] in, output [WIDTH-1:0] out
);
  assign out = fault == NUMBER ? in + 1 : in;
endmodule


// Counts what passes a stream, and is struck by one of it: number WHICH, from 0. Where `skip` is
// 1, a beat is let through uncounted.
module saboteur_beats #(parameter NUMBER = 1, parameter WHICH = 0) (
  input clk, input rst, input [15:0] fault, input skip, input valid, input passed,
  output struck
);
  reg [15:0] count = 0;
  assign struck = fault == NUMBER && valid && !skip && count == WHICH;
  always @(posedge clk)
    if (rst) count <= 0;
    else if (passed && !skip && !(&count)) count <= count + 1;
endmodule

// Takes a beat and keeps it.
module saboteur_lose #(parameter NUMBER = 1, parameter WHICH = 0) (
  input clk, input rst, input [15:0] fault, input skip,
  input valid, output ready, output valid_out, input ready_out
);
  wire struck;
  assign valid_out = valid && !struck;
  assign ready = ready_out || struck;
  saboteur_beats #(.NUMBER(NUMBER), .WHICH(WHICH)) beats (
    .clk(clk), .rst(rst), .fault(fault), .skip(skip),
    .valid(valid), .passed(valid && ready), .struck(struck));
endmodule

// Hands a beat on twice.
module saboteur_double #(parameter NUMBER = 1, parameter WHICH = 0) (
  input clk, input rst, input [15:0] fault, input skip,
  input valid, output ready, output valid_out, input ready_out
);
  wire struck;
  reg again = 0;
  assign valid_out = valid;
  assign ready = ready_out && !(struck && !again);
  always @(posedge clk)
    if (rst) again <= 0;
    else if (valid && ready_out) again <= struck && !again;
  saboteur_beats #(.NUMBER(NUMBER), .WHICH(WHICH)) beats (
    .clk(clk), .rst(rst), .fault(fault), .skip(skip),
    .valid(valid), .passed(valid && ready), .struck(struck));
endmodule

// Holds a beat back for a cycle.
module saboteur_delay #(parameter NUMBER = 1, parameter WHICH = 0) (
  input clk, input rst, input [15:0] fault, input skip,
  input valid, output ready, output valid_out, input ready_out
);
  wire struck;
  reg waited = 0;
  wire holds = struck && !waited;
  assign valid_out = valid && !holds;
  assign ready = ready_out && !holds;
  always @(posedge clk)
    if (rst) waited <= 0;
    else waited <= holds || waited && !(valid && ready);
  saboteur_beats #(.NUMBER(NUMBER), .WHICH(WHICH)) beats (
    .clk(clk), .rst(rst), .fault(fault), .skip(skip),
    .valid(valid), .passed(valid && ready), .struck(struck));
endmodule

// Changes the lowest bit of what waits to be taken; what is taken is right again.
module saboteur_waver #(parameter WIDTH = 1, parameter NUMBER = 1) (
  input clk, input rst, input [15:0] fault, input valid, input ready,
  input [WIDTH-1:0] in, output [WIDTH-1:0] out
);
  reg waited = 0;
  assign out = fault == NUMBER && waited && !ready ? in ^ 1 : in;
  always @(posedge clk) waited <= !rst && valid && !ready;
endmodule
