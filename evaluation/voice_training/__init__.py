"""Trains the two networks of anonymizer/voice, here, from a seed: `make train-voice`.

phones.py       the sounds of English, from three tools' names
recordings.py   real speech (LibriSpeech), by manifest; what pocketsphinx reads in it, aligned
speaking.py     synthetic speech, by flite and espeak-ng: the only donors
envelopes.py    what the decoder shall say, by WORLD
disguising.py   the same words as others would sound elsewhere
networks.py     encoder and decoder in torch
fitting.py      encoder to phones, then decoder to envelopes
exporting.py    both as ONNX
"""
