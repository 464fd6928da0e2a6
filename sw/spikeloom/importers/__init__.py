"""Networks of other frameworks: read, run in real numbers, made integers, compared.

```
file ─► nodes ─► profile ─► populations in real numbers ─► integers ─► network image
        nir      what the      lowering, step                quantise     foreign
                 file omits    float_reference               bounds       fidelity
```
"""

from spikeloom.importers.foreign import ForeignNetwork, from_nir
from spikeloom.importers.modules.network import (
    from_brevitas,
    from_norse,
    from_sinabs,
    from_snntorch,
    from_spikingjelly,
)
from spikeloom.importers.quantise import IntegerNetwork
from spikeloom.importers.run import save_run
from spikeloom.importers.widths import Widths

__all__ = [
    "ForeignNetwork",
    "IntegerNetwork",
    "Widths",
    "from_brevitas",
    "from_nir",
    "from_norse",
    "from_sinabs",
    "from_snntorch",
    "from_spikingjelly",
    "save_run",
]
