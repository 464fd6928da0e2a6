// Plays a bench to its end, and writes down how it ended, as the cocotb test does.
`timescale 1ns / 1ns

module alone;
  bench bench ();

  integer outcome;
  initial bench.go = 1;
  always @(posedge bench.done) begin
    outcome = $fopen("outcome.json", "w");
    $fwrite(outcome, "{\"cycles\": %0d, \"results\": %0d, \"unstable\": %0d, \"hung\": %s}\n",
            bench.cycle, bench.results, bench.unstable, bench.hung ? "true" : "false");
    $fclose(outcome);
    $finish;
  end
endmodule
