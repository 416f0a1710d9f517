"""What a training on many GPUs will take, before it is begun: a closed form, a simulation, and a trial of both."""
