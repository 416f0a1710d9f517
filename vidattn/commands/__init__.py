"""One file a command: it parses words, calls the library, prints."""
