"""What a browser sees: the only room that knows NiceGUI."""
