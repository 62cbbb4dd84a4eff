"""Text messages through Africa's Talking: `POST /version1/messaging`, one number a request.

An answer of 201 does not mean that a message was taken: that is said for each recipient inside.
"""
