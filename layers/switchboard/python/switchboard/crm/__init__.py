"""What is known about CRMs. Pure: no AWS, no sockets, no clock, no environment."""
