"""What every record on disk has in common: checked, frozen, written whole or not at all.

Owns: the `Record` base (shape, dtype and finiteness checks on construction, read-only arrays), its file form
(JSON for the words, safetensors for the numbers, never pickle), chunked volumes for depth and masks, and the
atomic-write primitives. Knows nothing of hands, robots or videos.

May import: nothing of ours but `reenact.errors`. Every room may import it.
"""

from reenact.records.base import Record as Record
from reenact.records.codec import load_record as load_record
from reenact.records.codec import record_exists as record_exists
from reenact.records.codec import save_record as save_record
