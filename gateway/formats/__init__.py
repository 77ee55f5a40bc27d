"""What the standards say: MsgHead, epikrise, PLO, Dialogmelding, AppRec, read and written."""
