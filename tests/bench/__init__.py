"""`make bench`: what a call costs, as counts and as ratios within one run."""
