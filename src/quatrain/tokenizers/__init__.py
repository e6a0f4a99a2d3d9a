"""Text to token ids and back: pretrained tokenizers, ones trained from a corpus, and tiktoken, behind one face."""
