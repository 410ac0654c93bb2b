"""What a class needs: from the same notebooks, and from what learners hand in."""
