"""How a network is converted: recipes, and the search for the one that keeps its decisions best."""
