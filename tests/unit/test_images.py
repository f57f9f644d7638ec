"""Uploaded pictures: only pixels are left of them, whatever else came in the file, and no file takes the machine's memory."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from PIL.Image import Exif

from api.errors import TooLarge, UnsupportedMedia
from api.images import (
    LONGEST_SIDE_PIXELS,
    MAX_IMAGE_BYTES,
    MAX_PIXELS,
    MAX_PIXELS_OF_JPEG,
    MAX_PIXELS_OF_PROGRESSIVE_JPEG,
    draw_anew,
)
from tests.integration.test_api_citizens import a_picture

SECRET = b"my secret garden"
SCRIPT = b"<script>alert(document.domain)</script>"


def a_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("secret.txt", SECRET)
    return packed.getvalue()


def with_exif() -> bytes:
    exif = Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x9286] = SECRET
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 14.0, 0.0), 29: SECRET.decode()})
    return a_picture(exif=exif)


def with_words() -> PngImagePlugin.PngInfo:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", SECRET.decode())
    words.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return words


HIDING: dict[str, bytes] = {
    "the tags of a phone": with_exif(),
    "the comment of a JPEG": a_picture(comment=SECRET),
    "an XMP packet": a_picture(xmp=b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"),
    "a colour profile": a_picture(icc_profile=SECRET * 10),
    "the words of a PNG": a_picture("PNG", pnginfo=with_words()),
    "the tags of a WebP": a_picture("WEBP", exif=b"Exif\0\0" + SECRET, xmp=SECRET),
    "the comment of a GIF": a_picture("GIF", comment=SECRET),
    "an archive behind the picture": a_picture() + a_zip(),
    "a page behind the picture": a_picture() + b"<html>" + SECRET + SCRIPT,
    "a script behind a GIF": a_picture("GIF") + b"*/=1;" + SCRIPT,
    "a script in the comment of a GIF": a_picture("GIF", comment=SCRIPT + SECRET),
    "a script in a part of a PNG of its own": a_picture("PNG")[:33] + struct.pack(">I", 39 + 16) + b"htMl" + SCRIPT + SECRET
    + struct.pack(">I", zlib.crc32(b"htMl" + SCRIPT + SECRET)) + a_picture("PNG")[33:],
}  # fmt: skip


@pytest.mark.parametrize("data", HIDING.values(), ids=HIDING)
async def test_only_the_pixels_of_a_picture_are_left(data: bytes) -> None:
    assert SECRET in data or SCRIPT in data or b"PK" in data
    kept = await draw_anew(data)

    assert not any(hidden in kept.data for hidden in (SECRET, b"script", b"PK\x03\x04", b"GPS"))
    with Image.open(io.BytesIO(kept.data)) as picture:
        picture.load()
        assert picture.size == (64, 48)
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert Image.MIME[str(picture.format)] == kept.content_type


POLYGLOTS: dict[str, bytes] = {
    "a script that begins like a GIF": b"GIF89a/*" + b"x" * 50 + b"*/=1;alert(1)",
    "a script that begins like a JPEG": b"\xff\xd8\xff\xfe/*" + b"*/=1;alert(1)//",
    "a page that begins like a PNG": b"\x89PNG\r\n\x1a\n<html>" + SCRIPT,
    "an archive alone": a_zip(),
    "an SVG, which may hold scripts": b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
    "PostScript, which is a program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage",
    "a PDF": b"%PDF-1.7\n1 0 obj <<>> endobj",
    "an icon": a_picture("ICO"),
    "a TIFF": a_picture("TIFF"),
    "nothing": b"",
}


@pytest.mark.parametrize("data", POLYGLOTS.values(), ids=POLYGLOTS)
async def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        await draw_anew(data)


def a_png(width: int, height: int, *parts: tuple[bytes, bytes]) -> bytes:
    """A PNG that claims that size, with these parts before its few pixels."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = (b"IDAT", zlib.compress(b"\0" * 10_000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in (header, *parts, pixels, (b"IEND", b""))
    )


def a_gif(width: int, height: int) -> bytes:
    picture = bytearray(a_picture("GIF"))
    picture[6:10] = struct.pack("<HH", width, height)
    return bytes(picture)


BOMBS: dict[str, Callable[[], bytes]] = {
    "a PNG that claims ten thousand million pixels": lambda: a_png(100_000, 100_000),
    "a PNG that claims more than memory can count": lambda: a_png(2**31 - 1, 2**31 - 1),
    "a GIF that claims 65,535 by 65,535": lambda: a_gif(65_535, 65_535),
    "words of a PNG that unpack to a gigabyte": lambda: a_png(8, 8, (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**28)))),
    "a profile of a PNG that unpacks to a gigabyte": lambda: a_png(8, 8, (b"iCCP", b"profile\0\0" + zlib.compress(bytes(2**28)))),
    "a PNG with fewer pixels than it claims": lambda: a_png(7000, 7000),
}  # fmt: skip


# Of one colour, and as large as is taken: what they claim is true, and they are small all the same.
PLAIN: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "a WebP": ("WEBP", "RGB", MAX_PIXELS, {}),
    "a WebP that can be seen through": ("WEBP", "RGBA", MAX_PIXELS, {}),
    "a PNG": ("PNG", "RGB", MAX_PIXELS, {}),
    "a PNG that can be seen through": ("PNG", "RGBA", MAX_PIXELS, {}),
    "a GIF": ("GIF", "P", MAX_PIXELS, {}),
    "a JPEG": ("JPEG", "RGB", MAX_PIXELS_OF_JPEG, {}),
    "a progressive JPEG": ("JPEG", "CMYK", MAX_PIXELS_OF_PROGRESSIVE_JPEG, {"progressive": True}),
}


def a_plain_picture(kind: str, mode: str, pixels: int, options: dict[str, Any]) -> bytes:
    side = int(pixels**0.5)
    kept = io.BytesIO()
    with Image.new(mode, (side, side)) as picture:
        picture.save(kept, kind, **options)
    return kept.getvalue()


def forget_most_memory() -> None:
    """Of a process that has had more before, the most says nothing of what comes."""
    Path("/proc/self/clear_refs").write_text("5")


def most_memory() -> int:
    """In KiB, since it was last forgotten."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


async def memory_taken_by(data: bytes) -> int:
    """In KiB, whether or not it is drawn."""
    forget_most_memory()
    before = most_memory()
    with suppress(TooLarge, UnsupportedMedia):
        await draw_anew(data)
    return most_memory() - before


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_a_small_file_takes_no_great_memory(bomb: Callable[[], bytes]) -> None:
    data = bomb()
    assert len(data) < 1_000_000
    assert await memory_taken_by(data) < 400_000


@pytest.mark.slow
@pytest.mark.parametrize("plain", PLAIN.values(), ids=PLAIN)
async def test_a_small_file_that_is_as_large_as_it_says_takes_no_great_memory(plain: tuple[str, str, int, Any]) -> None:
    data = a_plain_picture(*plain)
    assert len(data) < 1_000_000
    assert await memory_taken_by(data) < 400_000
    kind, mode, pixels, options = plain
    with pytest.raises(TooLarge, match="pixels"):
        await draw_anew(a_plain_picture(kind, mode, int(pixels * 1.01), options))


async def test_a_file_beyond_the_limit_is_not_even_opened() -> None:
    with pytest.raises(TooLarge, match="10 MB"):
        await draw_anew(b"\xff\xd8\xff" + bytes(MAX_IMAGE_BYTES))


async def test_a_photo_that_was_held_sideways_stands_upright_without_its_tags() -> None:
    exif = Exif()
    exif[0x0112] = 6
    kept = await draw_anew(a_picture(exif=exif))

    with Image.open(io.BytesIO(kept.data)) as picture:
        assert picture.size == (48, 64)


async def test_a_large_photo_is_made_smaller_and_an_animation_is_one_picture() -> None:
    large = await draw_anew(a_picture(size=(5000, 2500)))
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    animated = io.BytesIO()
    frames[0].save(animated, "GIF", save_all=True, append_images=frames[1:])
    kept = await draw_anew(animated.getvalue())

    with Image.open(io.BytesIO(large.data)) as picture:
        assert picture.size == (LONGEST_SIDE_PIXELS, LONGEST_SIDE_PIXELS // 2)
    with Image.open(io.BytesIO(kept.data)) as still:
        assert getattr(still, "n_frames", 1) == 1
