"""`python -m nmdeploy`."""

from nmdeploy.cli.app import main

if __name__ == "__main__":
    main()
