// A core written by hand, small enough to be believed: 4 inputs, 3 neurons in 2 lanes (so that the
// second group is partly filled), no leak, reset by subtraction, readout by spike count.
// An event takes two cycles, one for each group of neurons, a result three score beats.
module spikeloom_core (
    input clk,
    input rst,
    input [3:0] events__payload,  // last, step, address[2]
    input events__valid,
    output events__ready,
    output [10:0] scores__payload,  // last, best[2], value[8]
    output scores__valid,
    input scores__ready,
    output trace0__valid,
    output [0:0] trace0__group,
    output [1:0] trace0__spikes,
    output [15:0] trace0__membranes,
  input [2:0] select,
  output reg [31:0] count
);
  reg signed [7:0] weights[0:15];
  reg signed [7:0] thresholds[0:3];
  initial $readmemh("weights.mem", weights);
  initial $readmemh("thresholds.mem", thresholds);

  // Mistakes, for tests that they are found; a memory, so that each needs no compilation.
  reg [3:0] mistakes[0:0];
  initial $readmemh("mistakes.mem", mistakes);
  wire silent = mistakes[0][0];  // gives no result
  wire endless = mistakes[0][1];  // gives results without an end
  wire hesitant = mistakes[0][2];  // takes a result back while it waits
  wire forgetful = mistakes[0][3];  // begins the next sample with a count of neuron 1
  reg odd = 0;
  always @(posedge clk) odd <= !odd;

  localparam ACCEPT = 0, SCORE = 1;
  reg state = ACCEPT;
  reg group = 0;
  reg [1:0] output_number = 0;
  reg signed [7:0] v[0:3];
  reg signed [7:0] sum[0:3];
  integer i;
  initial for (i = 0; i < 4; i = i + 1) begin v[i] = 0; sum[i] = 0; end

  wire [1:0] address = events__payload[1:0];
  wire step = events__payload[2];
  wire last = events__payload[3];
  wire updating = state == ACCEPT && events__valid && step;
  wire reading = state == ACCEPT && events__valid && !step;
  assign events__ready = state == ACCEPT && group;

  wire signed [7:0] u0 = v[{group, 1'b0}];
  wire signed [7:0] u1 = v[{group, 1'b1}];
  wire s0 = u0 >= thresholds[{group, 1'b0}];
  wire s1 = u1 >= thresholds[{group, 1'b1}];
  wire signed [7:0] v0 = s0 ? u0 - thresholds[{group, 1'b0}] : u0;
  wire signed [7:0] v1 = s1 ? u1 - thresholds[{group, 1'b1}] : u1;
  assign trace0__valid = updating;
  assign trace0__group = group;
  assign trace0__spikes = {s1, s0};
  assign trace0__membranes = {v1, v0};

  wire [1:0] best01 = sum[1] > sum[0] ? 2'd1 : 2'd0;
  wire [1:0] best = sum[2] > sum[best01] ? 2'd2 : best01;
  assign scores__valid = state == SCORE && !silent && !(hesitant && odd);
  assign scores__payload = {output_number == 2, best, sum[output_number]};

  always @(posedge clk)
    if (!rst) begin
      if (updating || reading) group <= !group;
      if (reading)
        for (i = 0; i < 2; i = i + 1)
          v[{group, i[0]}] <= v[{group, i[0]}] + weights[{address, group, i[0]}];
      if (updating) begin
        v[{group, 1'b0}] <= v0;
        v[{group, 1'b1}] <= v1;
        sum[{group, 1'b0}] <= sum[{group, 1'b0}] + {7'd0, s0};
        sum[{group, 1'b1}] <= sum[{group, 1'b1}] + {7'd0, s1};
        if (group && last) state <= SCORE;
      end
      if (scores__valid && scores__ready) begin
        output_number <= output_number + 1;
        if (output_number == 2) begin
          output_number <= 0;
          if (!endless) state <= ACCEPT;
          for (i = 0; i < 4; i = i + 1) begin
            v[i] <= 0;
            sum[i] <= {7'd0, forgetful && i == 1};
          end
        end
      end
    end

  // Cycles, events, words, operations, updating, blocked.
  reg [31:0] counts[0:7];
  // If asked to, the first cycles say what the simulator was given, and the last count its reset.
  reg [15:0] anything;
  reg [7:0] given;
  reg asked = 0;
  initial begin
    for (i = 0; i < 8; i = i + 1) counts[i] = 0;
    if ($value$plusargs("given=%d", given)) begin
      asked = 1;
      counts[0] = {8'd0, given, anything};
    end
  end
  always @(posedge clk)
    if (rst) begin
      anything <= anything + 1;
      if (asked) counts[5] <= counts[5] + 1;
    end else begin
      count <= counts[select];
      counts[0] <= counts[0] + 1;
      counts[1] <= counts[1] + {31'd0, reading && group};
      counts[2] <= counts[2] + {31'd0, reading};
      counts[3] <= counts[3] + (!reading ? 0 : group ? 1 : 2);
      counts[4] <= counts[4] + {31'd0, updating};
    end
endmodule
