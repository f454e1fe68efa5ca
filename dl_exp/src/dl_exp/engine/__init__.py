"""The CPU engine: training steps derived by hand and compiled, one idea a file.

tile, product            matrix products, which keep their sums in registers
layernorm, gelu,         operations, each with its derivative beside it
attention, cross_entropy, embedding
adamw                    the update
shape, workspace         what is where in memory
team                     threads that meet without going back to Python
gpt                      a GPT forwards and backwards, for one thread
trainer                  all threads, each with its part of the batch
"""
