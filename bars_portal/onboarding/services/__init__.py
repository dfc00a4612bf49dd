"""The only writers. Each takes a step on; who may do it was asked before."""
