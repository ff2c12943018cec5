"""What one operation may ask for (`security.md` A4), measured before anything else looks at the document.

`bounds.py` holds the bounds and refuses, `measure.py` walks a document, `sizes.py` knows how long lists are,
`cost.py` adds up the nodes, which may depend on variables, and `variables.py` counts what those hold.
"""

from server.operations.limits.bounds import OperationLimits, check_document, check_nodes
from server.operations.limits.measure import OperationMeasure, measure_operations
from server.operations.limits.sizes import Sizes
from server.operations.limits.variables import check_variables

__all__ = [
    "OperationLimits",
    "OperationMeasure",
    "Sizes",
    "check_document",
    "check_nodes",
    "check_variables",
    "measure_operations",
]
