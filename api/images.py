"""What becomes of a picture that somebody uploads: it is drawn anew, so that only the picture is left.

The place and the time that a phone writes into a photo, and whatever else hides in a file that merely begins like an
image, do not survive that.
"""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

from PIL import (
    GifImagePlugin,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
from PIL import Image as Pictures

from api.errors import TooLarge, UnsupportedMedia
from db.attachments import Picture
from domain.forms import MOST_ATTACHMENTS

MAX_IMAGE_BYTES = 10 * 1024 * 1024
MAX_IMAGES = MOST_ATTACHMENTS
MAX_PIXELS = 16_000_000
"""A small file can claim any size, and drawing it would take the memory of the machine: up to 20 bytes a pixel, as WebP."""
MAX_PIXELS_OF_JPEG = 60_000_000
"""Above what most phones take. A JPEG is made smaller while it is read, so that its pixels are never all there at once."""
MAX_PIXELS_OF_PROGRESSIVE_JPEG = 36_000_000
"""One that comes in several goes over the picture has to be held whole, at up to nine bytes a pixel."""
LONGEST_SIDE_PIXELS = 2560
_READERS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin, GifImagePlugin)
_FORMATS = tuple(reader.__name__.rpartition(".")[2].removesuffix("ImagePlugin").upper() for reader in _READERS)
"""As Pillow calls them. All else that it can read is left out: each reader is a door."""
_QUALITY = 85
_REFUSED = "This is not a picture that we can read. Please send a photo as JPEG, PNG, WebP or GIF."

# Pillow only warns up to twice its own limit; ours is checked below, before anything is drawn.
Pictures.MAX_IMAGE_PIXELS = None
# One at a time: drawing is heavy, and nobody waits for it but the sender.
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="images")


async def draw_anew(data: bytes) -> Picture:
    """Raises UnsupportedMedia for what is no picture, TooLarge for one beyond the limits."""
    if len(data) > MAX_IMAGE_BYTES:
        raise TooLarge("A picture may have at most 10 MB. Please send a smaller one.")
    return await asyncio.get_running_loop().run_in_executor(_THREAD, _drawn, data)


def _drawn(data: bytes) -> Picture:
    try:
        with Pictures.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > _most_pixels(picture):
                raise TooLarge("This picture has too many pixels. Please send a smaller one.")
            picture.draft("RGB", (LONGEST_SIDE_PIXELS, LONGEST_SIDE_PIXELS))
            return _saved(picture)
    except TooLarge:
        raise
    except Exception:
        # What a broken file makes Pillow raise differs by format and says nothing to the sender.
        raise UnsupportedMedia(_REFUSED) from None


def _most_pixels(picture: Pictures.Image) -> int:
    if not isinstance(
        picture, JpegImagePlugin.JpegImageFile
    ):  # whichever it calls itself: some phones put two into one file
        return MAX_PIXELS
    return MAX_PIXELS_OF_PROGRESSIVE_JPEG if "progressive" in picture.info else MAX_PIXELS_OF_JPEG


def _upright(picture: Pictures.Image) -> Pictures.Image:
    """As it was held when it was taken. Tags that cannot be read turn nothing, and are no fault of the picture."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:
        return picture


def _saved(picture: Pictures.Image) -> Picture:
    picture.thumbnail((LONGEST_SIDE_PIXELS, LONGEST_SIDE_PIXELS))
    picture.load()
    upright = _upright(picture)
    is_see_through = "A" in upright.getbands() or "transparency" in upright.info
    plain = upright.convert("RGBA" if is_see_through else "RGB")
    fresh = Pictures.frombytes(plain.mode, plain.size, plain.tobytes())  # the pixels, and nothing that came with them
    kept = io.BytesIO()
    if is_see_through:
        fresh.save(kept, "PNG")
        return Picture("image/png", kept.getvalue())
    fresh.save(kept, "JPEG", quality=_QUALITY)
    return Picture("image/jpeg", kept.getvalue())
