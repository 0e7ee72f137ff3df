"""XXH3 with 128 bits, of texts up to 64 bytes: the names by which forgotten customers are known.

From the specification (xxHash, doc/xxhash_spec.md), with seed 0 and the default secret."""

_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364")
_MASK = (1 << 64) - 1
_PRIME32_2 = 0x85EBCA77
_PRIME64_1 = 0x9E3779B185EBCA87
_PRIME64_2 = 0xC2B2AE3D27D4EB4F
_PRIME64_3 = 0x165667B19E3779F9
_PRIME64_4 = 0x85EBCA77C2B2AE63


def hex128(data):
    """32 hex digits, the high half first."""
    high, low = _hash(data)
    return f"{high & _MASK:016x}{low & _MASK:016x}"


def _hash(data):
    if not 1 <= len(data) <= 64:
        raise ValueError(f"{len(data)} bytes")
    if len(data) <= 3:
        return _hash_1_to_3(data)
    if len(data) <= 8:
        return _hash_4_to_8(data)
    return _hash_9_to_16(data) if len(data) <= 16 else _hash_17_to_64(data)


def _hash_1_to_3(data):
    size = len(data)
    low = data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8
    swapped = int.from_bytes(low.to_bytes(4, "little"), "big")
    high = (swapped << 13 | swapped >> 19) & 0xFFFFFFFF
    return (_avalanche64(high ^ _word(_SECRET, 8, 4) ^ _word(_SECRET, 12, 4)),
            _avalanche64(low ^ _word(_SECRET, 0, 4) ^ _word(_SECRET, 4, 4)))


def _hash_4_to_8(data):
    keyed = _word(data, 0, 4) + (_word(data, len(data) - 4, 4) << 32)
    keyed ^= _word(_SECRET, 16) ^ _word(_SECRET, 24)
    product = keyed * (_PRIME64_1 + (len(data) << 2))
    low, high = product & _MASK, product >> 64
    high = (high + (low << 1)) & _MASK
    low ^= high >> 3
    low ^= low >> 35
    low = low * 0x9FB21C651E98DF25 & _MASK
    return _avalanche(high), low ^ low >> 28


def _hash_9_to_16(data):
    first, last = _word(data, 0), _word(data, len(data) - 8)
    product = (first ^ last ^ _word(_SECRET, 32) ^ _word(_SECRET, 40)) * _PRIME64_1
    low, high = product & _MASK, product >> 64
    low = (low + ((len(data) - 1) << 54)) & _MASK
    last ^= _word(_SECRET, 48) ^ _word(_SECRET, 56)
    high = (high + last + (last & 0xFFFFFFFF) * (_PRIME32_2 - 1)) & _MASK
    low ^= int.from_bytes(high.to_bytes(8, "little"), "big")
    product = low * _PRIME64_2
    return _avalanche((product >> 64) + high * _PRIME64_2 & _MASK), _avalanche(product & _MASK)


def _hash_17_to_64(data):
    size = len(data)
    high, low = 0, size * _PRIME64_1
    if size > 32:
        high, low = _mix_32(high, low, data, 16, size - 32, 32)
    high, low = _mix_32(high, low, data, 0, size - 16, 0)
    mixed = low * _PRIME64_1 + high * _PRIME64_4 + size * _PRIME64_2
    return -_avalanche(mixed & _MASK), _avalanche(low + high & _MASK)


def _mix_32(high, low, data, first, second, secret):
    low = low + _mix_16(data, first, secret) & _MASK
    low ^= _word(data, second) + _word(data, second + 8) & _MASK
    high = high + _mix_16(data, second, secret + 16) & _MASK
    return high ^ (_word(data, first) + _word(data, first + 8) & _MASK), low


def _mix_16(data, at, secret):
    product = (_word(data, at) ^ _word(_SECRET, secret)) * \
        (_word(data, at + 8) ^ _word(_SECRET, secret + 8))
    return product & _MASK ^ product >> 64


def _word(data, at, size=8):
    return int.from_bytes(data[at:at + size], "little")


def _avalanche(value):
    value ^= value >> 37
    value = value * 0x165667919E3779F9 & _MASK
    return value ^ value >> 32


def _avalanche64(value):
    value ^= value >> 33
    value = value * _PRIME64_2 & _MASK
    value ^= value >> 29
    value = value * _PRIME64_3 & _MASK
    return value ^ value >> 32
