"""The one intermediate representation: what all languages compile to and all the engine and agents see."""
