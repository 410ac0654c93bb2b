"""What a workshop needs beside the notebooks."""
