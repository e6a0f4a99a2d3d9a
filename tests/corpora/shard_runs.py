"""Makes a corpus in shards for tests, here and in processes: python shard_runs.py SOURCE TARGET SHARD SHARDS."""

import sys
from pathlib import Path
from typing import Any

from quatrain.corpora.pairs import open_pairs
from quatrain.corpora.sharded import Outcome, Place, make_shard
from quatrain.corpora.sharded_pairs import ShardedPairs
from quatrain.corpora.sharded_text import ShardedText
from quatrain.corpora.text import TextCorpus, load_text


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def text_shard(corpus: TextCorpus, target: Path, shard: int, shards: int, said: list[str] | None = None) -> Outcome:
    """Make one shard of a text corpus."""
    return make_shard(ShardedText(corpus), Place(target, target.parent), shard, shards, (said or []).append)


def pair_shard(source: Path, target: Path, shard: int, shards: int, **choices: Any) -> Outcome:
    """Make one shard of a corpus of pairs."""
    pairs = ShardedPairs(open_pairs(str(source), **choices))
    return make_shard(pairs, Place(target, target.parent), shard, shards, lambda sentence: None)


if __name__ == "__main__":
    told = load_text(sys.argv[1], documents="lines", validation_share=0.2)
    print(text_shard(told, Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])).sentence(int(sys.argv[3]), 4))
