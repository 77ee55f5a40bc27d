"""XSDs, and the one way to compile and use them.

`SchemaSet` decides whether a message is valid, and explains why not. The project's own schemas (`own/`) state
the structures that the gateway reads and writes; the official ones, which the project does not hold, can be
added (`add`) and then apply as well. Nothing here fetches anything from a network.
"""

from schemas.errors import SchemaError
from schemas.faults import FaultCode, SchemaFault
from schemas.official import SchemaInfo, add, default_official_directory, list_schemas
from schemas.sets import OWN, SchemaSet

__all__ = [
    "OWN",
    "FaultCode",
    "SchemaError",
    "SchemaFault",
    "SchemaInfo",
    "SchemaSet",
    "add",
    "default_official_directory",
    "list_schemas",
]
