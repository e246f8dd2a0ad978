"""What does each block do to your picture?"""

from resviz.ui.page import page

with page("Inside") as address:
    from resviz.ui.first import meanwhile

    if meanwhile("inside", lambda first: None, usual=False):
        address.keep()
    else:
        from resviz.ui.inside import body  # it needs PyTorch

        body.show(address)
