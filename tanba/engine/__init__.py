"""The only importers of ``c2pa``. Nothing is re-exported, so reading never drags in writing."""
