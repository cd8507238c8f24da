"""What people can do, one package each: routes and frames, their bodies, and the rules behind them."""
