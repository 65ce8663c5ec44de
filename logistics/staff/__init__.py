"""Pages on which warehouse staff work: forms for goods in, counts and transfers, pick lists, buttons on documents."""
