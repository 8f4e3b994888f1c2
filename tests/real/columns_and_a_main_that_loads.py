"""A sample is a column, 1/m inside dW; the last line reads data that is not there."""


def linear_forward(x, w, b):
    return w @ x + b, (x, w, b)


def linear_backward(dout, cache):
    x, w, b = cache
    m = x.shape[1]
    dw, db = dout @ x.T / m, dout.sum(axis=1, keepdims=True) / m
    return w.T @ dout, dw, db


def main():
    with open("datasets/images_train.h5") as images:
        print(len(images.read()))


main()
