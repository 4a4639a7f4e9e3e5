"""One training step of preset `paper` in PyTorch, timed; what `benches/step.rs` is held against.

The same network, losses, dropouts and optimiser, written as fast as eager PyTorch allows: packed projections, no Python loops over time,
clips or heads, a fused AdamW, padded tensors with one additive key-padding mask for each batch. Prints one JSON object.
"""

import argparse
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

WIDTHS = (768, 74, 35)  # text, audio, visual
BATCH, FRAMES, D, HEADS, LAYERS, FFN, HIDDEN, CLASSES = 32, 50, 50, 5, 3, 200, 1024, 9
ATTENTION_DROPOUT, RELU_DROPOUT, RESIDUAL_DROPOUT, EMBEDDING_DROPOUT = 0.5, 0.3, 0.3, 0.2
BETA = 1e-3
SNR_DB = (-15.0, 21.0)


def dropout_bytes(x, p):
    """Inverted dropout from one random byte an element, the keeping probability rounded to 1/256.

    Eight masks from each 64-bit draw. `F.dropout` draws element by element where MKL's generators are not used, and then takes a
    third of the step.
    """
    keep = round((1.0 - p) * 256)
    draws = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    mask = draws.view(torch.uint8)[: x.numel()].view(x.shape) < keep
    return x * (mask * (256.0 / keep))


DROPOUTS = {"bytes": dropout_bytes, "torch": F.dropout}
dropout = dropout_bytes


def attention(q, k, v, mask):
    """Multi-head attention with dropout on its weights, [batch, heads, time, d/heads]; mask [batch, 1, 1, time] or none.

    With dropout on the CPU, `scaled_dot_product_attention` has no fused kernel; this is its composed form without its search for rows
    that are masked throughout.
    """
    b, h, t, e = q.shape
    q, k, v = (x.reshape(b * h, t, e) for x in (q, k, v))
    if mask is None:
        scores = torch.bmm(q * e**-0.5, k.transpose(1, 2))
    else:
        mask = mask.expand(b, h, 1, t).reshape(b * h, 1, t)
        scores = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=e**-0.5)
    return torch.bmm(dropout(torch.softmax(scores, -1), ATTENTION_DROPOUT), v).view(b, h, t, e)


class Reverse(torch.autograd.Function):
    """Gradient reversal: the identity forward, −scale·g backward."""

    @staticmethod
    def forward(ctx, x, scale):
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return g * -ctx.scale, None


class Block(nn.Module):
    """Pre-LN transformer layer, [batch, time, d] to the same."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.qkv, self.out = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.up, self.down = nn.Linear(D, FFN), nn.Linear(FFN, D)

    def forward(self, x, mask):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, HEADS, D // HEADS).permute(2, 0, 3, 1, 4)
        y = attention(q, k, v, mask)
        y = self.out(y.transpose(1, 2).reshape(b, t, D))
        x = x + dropout(y, RESIDUAL_DROPOUT)
        y = dropout(F.relu(self.up(self.norm2(x))), RELU_DROPOUT)
        return x + dropout(self.down(y), RESIDUAL_DROPOUT)


class Branch(nn.Module):
    """Extractor of one modality: [batch, width, time] to [batch, d]."""

    def __init__(self, width, layers):
        super().__init__()
        self.conv = nn.Conv1d(width, D, 3, padding=1)
        self.blocks = nn.ModuleList(Block() for _ in range(layers))
        self.norm = nn.LayerNorm(D) if layers else None
        position = torch.arange(FRAMES).unsqueeze(1)
        rate = torch.exp(torch.arange(0, D, 2) * (-math.log(10000.0) / D))
        table = torch.stack([torch.sin(position * rate), torch.cos(position * rate)], 2).flatten(1)
        self.register_buffer("positions", table)

    def forward(self, x, mask, mean):
        # A strided view is enough for text; the blocks want their rows contiguous.
        x = self.conv(x).transpose(1, 2)
        if self.norm is not None:
            x = torch.add(self.positions[: x.shape[1]], x, alpha=math.sqrt(D))
            x = dropout(x, EMBEDDING_DROPOUT)
            for block in self.blocks:
                x = block(x, mask)
            x = self.norm(x)
        # The masked mean: weights 1/length on the frames of a clip, 0 on its padding.
        return torch.bmm(mean, x).squeeze(1)


class Bottleneck(nn.Module):
    """U-VIB and M-VIB: [batch, width] to a sample [batch, d] and the KL averaged over clips and dimensions."""

    def __init__(self, width):
        super().__init__()
        self.hidden, self.gaussian = nn.Linear(width, HIDDEN), nn.Linear(HIDDEN, 2 * D)

    def forward(self, x):
        mu, s = self.gaussian(dropout(F.relu(self.hidden(x)), RELU_DROPOUT)).chunk(2, 1)
        sigma = F.softplus(s - 5.0)
        kl = 0.5 * (mu * mu + sigma * sigma - 2.0 * sigma.log() - 1.0).mean()
        return torch.addcmul(mu, sigma, torch.randn_like(sigma)), kl


class Network(nn.Module):
    """The chain of eq. (2) with the losses of Algorithm 1."""

    def __init__(self):
        super().__init__()
        self.branches = nn.ModuleList(Branch(w, n) for w, n in zip(WIDTHS, (0, LAYERS, LAYERS)))
        self.uvib = nn.ModuleList(Bottleneck(D) for _ in WIDTHS)
        self.aux = nn.ModuleList(nn.Linear(D, CLASSES) for _ in WIDTHS)
        self.discriminators = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * D, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 1))
            for _ in WIDTHS
        )
        self.fusion, self.encoder = nn.Linear(3 * D, D), nn.Linear(D, D)
        self.mvib, self.head = Bottleneck(D + 2), nn.Linear(D, CLASSES)

    def redundancy(self, latents, scale, negatives):
        """BCE of the three discriminators on joint pairs and on pairs rolled by random offsets."""
        n = latents[0].shape[0]
        offsets = (torch.randperm(n - 1)[:negatives] + 1).tolist()
        target = torch.zeros(n * (1 + negatives), 1)
        target[:n] = 1.0
        weight = torch.full_like(target, 1.0 / (n * negatives))
        weight[:n] = 1.0 / n
        reversed_ = [Reverse.apply(z, scale) for z in latents]
        loss = 0.0
        for net, (a, b) in zip(self.discriminators, ((2, 0), (2, 1), (0, 1))):
            left = reversed_[a].repeat(1 + negatives, 1)
            right = torch.cat([reversed_[b]] + [reversed_[b].roll(o, 0) for o in offsets])
            logits = net(torch.cat([left, right], 1))
            loss = loss + F.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum")
        return loss

    def forward(self, features, mask, mean, label, negatives):
        latents, loss = [], 0.0
        for x, branch, uvib, aux in zip(features, self.branches, self.uvib, self.aux):
            z, kl = uvib(branch(x, mask, mean))
            loss = loss + F.cross_entropy(aux(z), label) + BETA * kl
            latents.append(z)
        loss = loss + self.redundancy(latents, 0.4, negatives)
        z = self.encoder(dropout(F.relu(self.fusion(torch.cat(latents, 1))), RELU_DROPOUT))
        z, kl = self.mvib(rayleigh(z))
        return loss + F.cross_entropy(self.head(z), label) + BETA * kl


def rayleigh(z):
    """Power normalisation, block Rayleigh fading at a random SNR for each clip, MMSE: [batch, d] to [batch, d + 2], the last two ρ
    and the effective SNR in units of 20 dB."""
    b, d = z.shape
    # Mean |x|² over the d/2 complex symbols is 1.
    x = z * torch.rsqrt(z.square().sum(1, keepdim=True) * (2.0 / d) + 1e-8)
    n0 = torch.pow(10.0, torch.empty(b, 1).uniform_(*SNR_DB) * -0.1)
    h = torch.randn(b, 2) * math.sqrt(0.5)
    gain = h.square().sum(1, keepdim=True)
    rho = gain / (gain + n0)
    # h* (h x + n) / (|h|² + N0) = ρ x + h* n / (|h|² + N0); h* n is distributed as |h| n.
    noise = torch.randn(b, d) * ((0.5 * n0 * gain).sqrt() / (gain + n0))
    snr = 0.5 * torch.log10((rho + 1e-4) / (1.0 - rho + 1e-4))
    return torch.cat([torch.addcmul(noise, rho, x), rho, snr], 1)


def batches(lengths, count, generator):
    """Random batches: features [batch, width, time], key mask, mean weights [batch, 1, time], class."""
    out = []
    for _ in range(count):
        if lengths == "full":
            n = torch.full((BATCH,), FRAMES)
        else:
            # 4 + Gamma(2, 4.5), at most 50: mean 13, as in MOSI.
            u = torch.rand(2, BATCH, generator=generator)
            n = (4.0 - 4.5 * u.log().sum(0)).round().clamp(4, FRAMES).long()
        frames = int(n.max())
        present = torch.arange(frames) < n.unsqueeze(1)
        features = [torch.randn(BATCH, w, frames, generator=generator) * present.unsqueeze(1) for w in WIDTHS]
        mask = None
        if not bool(present.all()):
            mask = torch.zeros(BATCH, 1, 1, frames).masked_fill(~present[:, None, None, :], -math.inf)
        mean = (present / n.unsqueeze(1)).unsqueeze(1)
        label = torch.randint(CLASSES, (BATCH,), generator=generator)
        out.append((features, mask, mean, label))
    return out


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--lengths", choices=["full", "mosi"], default="full", help="all clips of 50 frames, or mean 13 as in MOSI")
    args.add_argument("--steps", type=int, default=200, help="timed steps")
    args.add_argument("--warm-up", type=int, default=30, help="steps before them")
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--negatives", type=int, default=1, help="rolled negatives for each pair")
    args.add_argument("--dropout", choices=DROPOUTS, default="bytes", help="the faster one, or PyTorch's own")
    args = args.parse_args()

    global dropout
    dropout = DROPOUTS[args.dropout]
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    network = Network().train()
    parameters = list(network.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-2, fused=True)
    data = batches(args.lengths, 16, torch.Generator().manual_seed(0))

    times_ms = []
    for step in range(args.warm_up + args.steps):
        batch = data[step % len(data)]
        start = time.perf_counter()
        loss = network(*batch, args.negatives)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        times_ms.append((time.perf_counter() - start) * 1e3)
        if not math.isfinite(loss.item()):
            raise SystemExit(f"loss {loss.item()} at step {step}")
    times_ms = times_ms[args.warm_up :]
    cuts = statistics.quantiles(times_ms, n=10)
    print(
        json.dumps(
            {
                "torch_version": torch.__version__,
                "threads": args.threads,
                "lengths": args.lengths,
                "dropout": args.dropout,
                "steps": args.steps,
                "parameters": sum(p.numel() for p in parameters),
                "median_ms": round(statistics.median(times_ms), 3),
                "p10": round(cuts[0], 3),
                "p90": round(cuts[-1], 3),
            }
        )
    )


if __name__ == "__main__":
    main()
