"""The words of the embedded verse: sixteen topics, the rhyme families and the small words, and how words inflect.

No word form stands in two places (a test keeps it so): a form alone tells its topic, its category and its inflection,
and that is what makes the grammar unambiguous. Lists are in order of frequency, the most frequent word first.
"""

from typing import NamedTuple


class Topic(NamedTuple):
    """The stems of one topic, one field for each open category of the grammar."""

    nouns: tuple[str, ...]
    intransitive: tuple[str, ...]
    transitive: tuple[str, ...]
    adjectives: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]


def _topic(nouns: str, intransitive: str, transitive: str, adjectives: str, women: str, men: str) -> Topic:
    return Topic(*(tuple(words.split()) for words in (nouns, intransitive, transitive, adjectives, women, men)))


TOPICS = (
    _topic(
        "wave sailor gull harbour anchor mermaid island pearl captain vessel "
        "dolphin oyster pebble reef whale mast rudder current raft seashell",
        "drift surge sail billow splash ebb founder glide",
        "moor steer haul launch salvage unload navigate",
        "salty stormy restless boundless foamy rough breezy fathomless vast wavy choppy briny",
        "Marina Coral Nerissa",
        "Jonah Dylan Murdo",
    ),
    _topic(
        "oak fox owl acorn hunter branch fern squirrel badger thicket "
        "sapling birch willow antler woodcutter trunk mushroom burrow hedgehog twig",
        "rustle creak prowl lurk scurry burgeon hoot rove",
        "hunt forage shelter track shoulder splinter devour",
        "leafy mossy shady wild tangled woody secret untamed wary feral furtive nimble",
        "Rowena Sylvia Hazel",
        "Robin Forrest Tobias",
    ),
    _topic(
        "mountain boulder eagle goat climber summit cavern ledge avalanche glacier "
        "cliff peak ravine marmot crag gorge pinnacle condor canyon ridge",
        "teeter climb rumble topple crumble soar echo tumble",
        "straddle scramble conquer quarry surmount crush shatter",
        "steep craggy lofty rugged dizzy sheer stony ancient massive mighty perilous jagged",
        "Petra Heidi Alma",
        "Conrad Bruno Magnus",
    ),
    _topic(
        "rose bee petal gardener lily hedge butterfly blossom trellis daisy "
        "arbour tulip snail orchard marigold sunflower ladybird path bouquet bramble",
        "flower sprout buzz flutter unfold wither ripen hover",
        "prune water plant adorn pluck perfume pollinate",
        "sweet fragrant dewy sunny tender delicate rosy balmy lush verdant gentle fresh",
        "Flora Violet Iris",
        "Basil Jasper Florian",
    ),
    _topic(
        "star comet planet cloud angel meteor rainbow skylark zephyr heaven "
        "swallow horizon thunderbolt sunbeam galaxy balloonist kite swift sunset eclipse",
        "twinkle sparkle dazzle whirl radiate orbit glitter quiver",
        "illumine encircle enfold pierce brighten overshadow magnify",
        "bright radiant airy celestial endless luminous heavenly azure starry weightless lucid infinite",
        "Stella Celeste Aurora",
        "Orion Cyrus Leander",
    ),
    _topic(
        "icicle snowflake penguin blizzard sledge mitten pinecone skater walrus snowman "
        "snowdrift hearth muffler iceberg ermine bonfire chimney icebreaker trapper yeti",
        "shiver harden stiffen thaw glisten howl huddle crackle",
        "blanket chill bury muffle whiten endure entomb",
        "frosty icy pale bleak wintry bitter numb crisp snowy barren bare ghostly",
        "Ingrid Astrid Neva",
        "Sven Anders Nikolai",
    ),
    _topic(
        "smith forge ember anvil hammer furnace sword spark horseshoe crucible "
        "ingot cauldron rivet chisel cinder torch tinker apprentice nail kiln",
        "smoulder flicker hiss clang smoke roar sizzle fume",
        "temper melt kindle sharpen mould scorch polish",
        "fiery molten hot sooty red smoky blazing fierce glaring ardent searing fervent",
        "Brenna Seraphina Ruby",
        "Vulcan Wayland Aidan",
    ),
    _topic(
        "farmer field barn lamb pony shepherd meadow haystack scarecrow harvester "
        "pumpkin rooster turnip cart sickle tractor pasture foal acre orchardist",
        "graze labour bleat yawn trudge bellow cackle amble",
        "harvest gather sow fatten thresh furrow till",
        "golden earthy ripe rustic hearty fertile muddy humble fruitful plump tawny weary",
        "Martha Dora Nell",
        "George Silas Amos",
    ),
    _topic(
        "queen castle prince banner throne page courtier jewel princess tower "
        "sceptre duchess goblet herald portrait chamberlain palace emperor robe carriage",
        "reign curtsey swagger saunter parade promenade lounge preside",
        "honour banish ennoble pardon summon flatter obey",
        "royal proud noble stately regal gracious haughty splendid courtly pompous lavish glorious",
        "Eleanor Isolde Beatrice",
        "Rupert Edmund Lionel",
    ),
    _topic(
        "harp singer fiddle drum melody dancer lute flute piper minstrel "
        "trumpet ballad cello chord bassoon viola anthem rhythm choir hymn",
        "chime dance resound warble resonate quaver croon waltz",
        "compose rehearse serenade play tune conduct applaud",
        "tuneful merry loud musical joyous lyrical sonorous solemn lilting cheerful rapturous harmonic",
        "Cecilia Ophelia Carmen",
        "Felix Wolfgang Tristan",
    ),
    _topic(
        "merchant street beggar coin lamp baker market cobbler alley window "
        "basket doorway peddler tavern bridge steeple tailor tram banker lamplighter",
        "haggle loiter hurry bustle chatter gossip stroll jostle",
        "auction barter purchase borrow weigh deliver cheat",
        "busy crowded noisy dusty cheap narrow shrewd greedy thrifty grimy common costly",
        "Polly Agnes Mabel",
        "Oliver Barnaby Walter",
    ),
    _topic(
        "soldier arrow shield lance warrior fortress siege trench archer cannon "
        "helmet spear rampart general dagger catapult chariot scout regiment gauntlet",
        "march charge falter perish retreat clash skirmish surrender",
        "defend besiege wound attack vanquish guard betray",
        "brave bloody grim valiant fearless savage warlike cruel deadly stern ruthless heroic",
        "Matilda Brunhild Joan",
        "Hector Roland Victor",
    ),
    _topic(
        "weaver ribbon needle shawl spindle seamstress button curtain stitch mantle "
        "tapestry cushion bobbin bonnet carpet spinner pocket doily thimble tassel",
        "loosen fray dangle rumple crease pucker fade wrinkle",
        "sew embroider mend fasten launder pleat darn",
        "silken soft woollen velvety satiny scarlet threadbare smooth seamless ornate gaudy crimson",
        "Penelope Lydia Tess",
        "Elias Taylor Hugo",
    ),
    _topic(
        "cook kettle pie oven pudding plum cake apple kitchen table "
        "onion pepper saucer biscuit waiter dumpling platter pancake ladle radish",
        "simmer bubble steam fry dine feast curdle nibble",
        "season gobble taste butter serve roast toast",
        "savoury hungry spicy tasty juicy buttery sour crusty delicious creamy greasy peppery",
        "Clementine Olive Poppy",
        "Graham Bertie Pierre",
    ),
    _topic(
        "river raindrop frog heron otter puddle fisherman ferry duck canoe "
        "dragonfly minnow waterfall eddy beaver marsh newt canal kingfisher umbrella",
        "trickle ripple gurgle meander murmur babble waddle cascade",
        "drench soak flood dampen moisten irrigate erode",
        "rainy misty watery cool damp winding shallow clear limpid turbid murky slippery",
        "Brooke Delta Sabrina",
        "Jordan Clyde Severn",
    ),
    _topic(
        "dreamer shadow spectre candle pillow lullaby moth phantom cradle bat "
        "nightingale sleeper vision slumber fairy curfew lantern cobweb midnight sorcerer",
        "yearn wander hush whisper vanish doze sigh tiptoe",
        "enchant haunt beguile remember conceal hypnotise lull",
        "dark silent quiet dim drowsy mystic hazy dusky strange lonely gloomy eerie",
        "Selene Luna Morgana",
        "Merlin Lucian Edgar",
    ),
)

RHYMES = tuple(
    (ending, tuple(words.split()))
    for ending, words in (
        ("ight", "night light sight height flight"),
        ("ay", "day way bay clay spray"),
        ("ore", "shore store core lore score"),
        ("all", "hall wall fall ball call"),
        ("eam", "dream stream gleam beam seam"),
        ("own", "town crown gown frown clown"),
        ("ound", "ground sound mound hound pound"),
        ("ain", "rain plain train chain grain"),
        ("ire", "fire spire wire mire shire"),
        ("ide", "side bride ride pride guide"),
        ("ell", "bell well shell dell spell"),
        ("ill", "hill mill rill quill sill"),
        ("ook", "brook book nook hook rook"),
        ("ace", "place face lace grace space"),
        ("oon", "moon noon lagoon balloon cocoon"),
        ("ock", "rock clock flock lock dock"),
        ("ing", "king ring spring wing string"),
        ("ove", "grove cove stove clove drove"),
        ("eed", "seed reed weed steed deed"),
        ("orn", "thorn horn corn morn scorn"),
        ("ale", "vale tale gale sale dale"),
        ("ine", "vine pine shrine line brine"),
        ("oom", "room bloom gloom broom loom"),
        ("ame", "flame name game frame fame"),
    )
)
"""Rhyme families: their ending as it is spelled, and the nouns that close a line."""

SINGULAR_DETERMINERS = ("the", "a", "this", "every", "one")
"""``a`` is written ``an`` before a vowel."""
PLURAL_DETERMINERS = ("the", "these", "many", "some")
PREPOSITIONS = ("by", "beyond", "near", "beneath", "above", "across", "behind", "around")

PRONOUNS = ("she", "he")
POSSESSIVES = ("her", "his")
LITERALS = ("the", "an", "when", "there", "and", "where", "then", "as")
PUNCTUATION = (",", ";", ".")

VOWELS = frozenset("aeiou")


def plural(noun: str) -> str:
    """The plural of a noun, by the regular rules of spelling."""
    return _with_s(noun)


def third_person(verb: str) -> str:
    """The present tense of a verb with a singular subject."""
    return _with_s(verb)


def past(verb: str) -> str:
    """The past tense of a regular verb."""
    if verb.endswith("e"):
        return verb + "d"
    return verb[:-1] + "ied" if _ends_in_consonant_y(verb) else verb + "ed"


def participle(verb: str) -> str:
    """The present participle of a verb."""
    drops_e = verb.endswith("e") and verb[-2] not in "eo"
    return verb[:-1] + "ing" if drops_e else verb + "ing"


def adverb(adjective: str) -> str:
    """The adverb in -ly of an adjective."""
    if _ends_in_consonant_y(adjective):
        return adjective[:-1] + "ily"
    if adjective.endswith("le") and adjective[-3] not in VOWELS:
        return adjective[:-1] + "y"
    return adjective + ("ally" if adjective.endswith("ic") else "ly")


def _with_s(stem: str) -> str:
    if _ends_in_consonant_y(stem):
        return stem[:-1] + "ies"
    return stem + ("es" if stem.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in VOWELS
