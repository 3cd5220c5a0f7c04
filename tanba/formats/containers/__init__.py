"""Where each container keeps its XMP packet, EXIF block and text chunks: read them, and put a packet in losslessly.

One module per container. Nothing here decodes pixels, parses XML or knows what a property means. Readers take a
stream, seek over media data, and never hold more than :data:`MAX_TEXT` of it; writers take all bytes and copy every
byte they do not have to change.
"""

from tanba.formats.containers.base import Blocks, Container
from tanba.formats.containers.registry import container_for

__all__ = ["Blocks", "Container", "container_for"]
