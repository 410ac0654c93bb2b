"""One notebook → what a class needs: student and solution editions, slides, a booklet."""
