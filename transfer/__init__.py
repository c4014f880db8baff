"""What leaves and enters: the sealed file, its evidence, and the standards of the neighbours. Bytes in, bytes out."""
