"""Figures of an analysis as SVG text, drawn by matplotlib, which is imported only while something is drawn."""
