"""The engine: one core that runs the populations of any graph one after another, from a program.

The chain of `spikeloom_hw.core` is made for one network. The engine is made for a board, and a
network is a program with its weights, loaded into it.

```
           program
              │
 maps ─► MapScan ─► RowSource ─► RowFetch ─► WordStream ─► Unpack ─► banks ×L ◄─► Sweep ─► maps
 bits a   set bits    taps of     pointers     weights      lanes    states      decay,
 step     in order    a kernel                                                   fire, reset
```
"""
