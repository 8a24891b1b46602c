"""From files to arrays of atoms that agree with what the files themselves declare.

`symscape.crystal.read` is the door; the modules here are its steps: the bytes (`source`), the
readers (`cif`, `poscar`, `structure_json`, `other_formats`), and what the readers are held to
(`agreement`, `opinions`).
"""
