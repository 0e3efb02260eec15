"""PyTorch's list of operators with samples for its own tests (OpInfo), with or without the packages that its tests need."""
import sys
import types
import unittest

try:
    import expecttest  # noqa: F401, which torch.testing asks for and does not use here
except ImportError:
    stub = types.ModuleType("expecttest")
    stub.TestCase, stub.assert_expected_inline = unittest.TestCase, None
    sys.modules["expecttest"] = stub
from torch.testing._internal.common_methods_invocations import op_db  # noqa: F401
