"""The five-minute tour: at five stops on the real pages a visitor predicts, runs, sees, and reads why."""
