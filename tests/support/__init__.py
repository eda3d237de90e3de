"""What tests share: builders, fakes and real parts, one idea per module."""
