"""`bauta audit`: the record of a service, checked and told three ways.

reading   a record file, from a service or from a disk, line by line under strict caps
outcome   what was found, as lines for a terminal and as one object for programs
page      the same as one self-contained HTML page: no script, nothing loaded, every value escaped
"""
