
/* One port that reads or stores, without first contents: the shape of the iCE40UP5K's SPRAM, and
   written so that synthesis takes it. */
module single_port_ram #(
  parameter ADDRESS_BITS = 14,
  parameter DEPTH = 16384,
  parameter CHUNKS = 4,
  parameter CHUNK_BITS = 16
) (
  input clk,
  input [ADDRESS_BITS-1:0] address,
  input enable,
  input [CHUNKS-1:0] store,
  input [CHUNKS*CHUNK_BITS-1:0] data_in,
  output reg [CHUNKS*CHUNK_BITS-1:0] data_out
);
  (* ram_style = "huge" *)
  reg [CHUNKS*CHUNK_BITS-1:0] words [0:DEPTH-1];
  integer chunk;
  always @(posedge clk)
    if (enable) begin
      for (chunk = 0; chunk < CHUNKS; chunk = chunk + 1)
        if (store[chunk])
          words[address][CHUNK_BITS*chunk +: CHUNK_BITS] <= data_in[CHUNK_BITS*chunk +: CHUNK_BITS];
      if (!(|store))
        data_out <= words[address];
    end
endmodule
