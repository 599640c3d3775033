"""What the tests, the benchmarks and the demonstrations share: real servers on free loopback ports."""
