"""Faults in a core, planted on purpose: does the check see them?"""
