"""The features for users, one package each: routes and frames, their bodies, and their rules."""
