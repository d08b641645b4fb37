"""Six ways of making music; each module has one `arrange(sketch)`, giving an unfinished stereo mix."""
