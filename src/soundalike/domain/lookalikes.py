"""Names that look alike although their letters are of different alphabets, or some are drawn as nothing."""

import re
import unicodedata

# Letters and digits that look like one of ASCII, as Unicode 15.1 lists them (confusables.txt of UTS #39).
_LIKE = {
    "2": "ƧϨᒿꙄꛯꝚ",
    "3": "ƷȜЗӠⳌꝪꞫ𑣊𖼻",
    "4": "Ꮞ𑢯",
    "5": "Ƽ𑢻",
    "6": "бᏮⳒ𑣕",
    "7": "𐓒𑣆",
    "8": "Ȣȣ৪੪𐌚",
    "9": "৭੧୨൭ⳊꝮ𑢬𑣌𑣖",
    "A": "ΑАᎪᗅꓮ𐊠𖽀",
    "B": "ΒВᏴᗷꓐꞴ𐊂𐊡𐌁",
    "C": "СᏟⲤꓚ𐊢𐌂𐐕𐔜𑣩𑣲",
    "D": "Ꭰᗞᗪꓓ",
    "E": "ΕЕᎬⴹꓰ𐊆𑢦𑢮",
    "F": "ϜᖴꓝꞘ𐊇𐊥𐔥𑢢𑣂",
    "G": "ԌᏀᏳꓖ",
    "H": "ΗНᎻᕼⲎꓧ𐋏",
    "J": "ͿЈᎫᒍꓙꞲ",
    "K": "ΚКᏦᛕⲔꓗ𐔘",
    "L": "ᏞᒪⳐꓡ𐐛𐔦𑢣𑢲𖼖",
    "M": "ΜϺМᎷᗰᛖⲘꓟ𐊰𐌑",
    "N": "ΝⲚꓠ𐔓",
    "O": "ΟОՕ০ଠ୦ዐⲞⵔ〇ꓳ𐊒𐊫𐐄𐓂𐔖𑓐𑢵𑣠",
    "P": "ΡРᏢᑭⲢꓑ𐊕",
    "Q": "ⵕ",
    "R": "ƦᎡᏒᖇꓣ𐒴𖼵",
    "S": "ЅՏᏕᏚꓢ𐊖𐐠𖼺",
    "T": "ΤТᎢⲦꓔ𐊗𐊱𐌕𑢼𖼊",
    "U": "Սሀᑌꓴ𐓎𑢸𖽂",
    "V": "Ѵ۷Ꮩᐯⴸꓦꛟ𐔝𑢠𖼈",
    "W": "ԜᎳᏔꓪ𑣦𑣯",
    "X": "ΧХᚷⲬⵝꓫꞳ𐊐𐊴𐌗𐌢𐔧𑣬",
    "Y": "ΥУҮᎩᎽⲨꓬ𐊲𑢤𖽃",
    "Z": "ΖᏃꓜ𐋵𑢩𑣥",
    "a": "ɑαа",
    "b": "ƄЬᏏᑲᖯ",
    "c": "сᴄⲥꮯ𐐽",
    "d": "ԁᏧᑯꓒ",
    "e": "еҽꬲ",
    "f": "քẝꞙꬵ",
    "g": "ƍɡցᶃ",
    "h": "һհᏂ",
    "i": "ıɩɪιіӏᎥꙇꭵ𑣃",
    "j": "ϳј",
    "l": "ƖǀΙІӀ۱ᛁⲒⵏꓲ𐊊𐌉𐌠𖼨",
    "n": "ոռ",
    "o": "οσоօ۵०੦૦௦౦೦ഠ൦๐໐ဝ၀ჿᴏᴑⲟꬽ𐐬𐓪𑣈𑣗",
    "p": "ρрⲣ",
    "q": "ԛգզ",
    "r": "гᴦⲅꭇꭈꮁ",
    "s": "ƽѕꜱꮪ𐑈𑣁",
    "u": "ʋυսᴜꞟꭎꭒ𐓶𑣘",
    "v": "νѵᴠꮩ𑜆𑣀",
    "w": "ɯѡԝաᴡꮃ𑜊𑜎𑜏",
    "x": "хᕁᕽ",
    "y": "ɣʏγуүყᶌỿꭚ𑣜",
    "z": "ᴢꮓ𑣄",
}
_PLAIN = str.maketrans(
    {letter: plain for plain, letters in _LIKE.items() for letter in letters} | {"0": "O", "1": "l", "I": "l"}
)

# What is drawn as nothing: Default_Ignorable_Code_Point in DerivedCoreProperties.txt of Unicode 15.1, which
# UTS #39 has in no identifier; then signs and letters that are blank: of Braille, music, Egyptian and Khitan.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u2800\U0001d159\U00013441\U00013442\U00016fe4]"
)

# Written together, also with Latin letters (UTS #39, "highly restrictive").
_EAST_ASIAN = frozenset(
    {"Cjk", "Hiragana", "Katakana", "Katakana-hiragana", "Ideographic", "Bopomofo", "Hangul"}
)


def scripts_of(name: str) -> list[str]:
    """Return the alphabets whose letters a name has; those that are written together count as one."""
    letters = (letter for letter in unicodedata.normalize("NFKC", name) if letter.isalpha())
    found = {unicodedata.name(letter, "Unknown").split()[0].capitalize() for letter in letters}
    if found & _EAST_ASIAN:
        found = found - _EAST_ASIAN - {"Latin"} | {"East Asian"}
    return sorted(found)


def invisible_in(name: str) -> list[str]:
    """Return the characters of a name that are drawn as nothing, each as ``U+3164 HANGUL FILLER``."""
    found = sorted(set(_INVISIBLE.findall(name)))
    return [f"U+{ord(one):04X} {unicodedata.name(one, '')}".rstrip() for one in found]


def looks_like(name: str, other: str) -> bool:
    """Whether two names look alike, in upper or lower case; two of ASCII letters never do.

    Parameters
    ----------
    name, other : str
        The names.
    """
    if name.isascii() and other.isascii():
        return False
    return any(_shape(one) == _shape(two) for one, two in zip(_cases(name), _cases(other), strict=True))


def _cases(name: str) -> tuple[str, str, str]:
    plain = unicodedata.normalize("NFKC", name)
    return plain, plain.casefold(), plain.upper()


def _shape(name: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).translate(_PLAIN)
