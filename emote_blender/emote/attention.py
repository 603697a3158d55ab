"""Transformer encoder with an additive float bias, written on `scaled_dot_product_attention`.

PyTorch's own `nn.TransformerEncoderLayer` must not be used with these biases: its fast path in eval mode turns them
into a boolean mask and ruins the result (spec section 0). Parameter names are those of PyTorch's layer.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def head_slopes(num_heads: int) -> Tensor:
    """ALiBi's slope of each head, (H,): 2^(-8/H), 2^(-16/H), ... (Press et al. 2022); H is a power of two."""
    return 2.0 ** (-8.0 / num_heads * torch.arange(1, num_heads + 1))


def distance_bias(num_frames: int, num_heads: int, period: int = 1, device: torch.device | str = "cpu") -> Tensor:
    """Attention bias (H, T, T) by the distance between frames: -slope * floor(|i - j| / period).

    It is symmetric in time. `period` 1 is FLINT's "alibi_future", 30 EMOTE's "faceformer_future" (spec 3.3).
    """
    frames = torch.arange(num_frames, device=device, dtype=torch.float32)
    distance = ((frames[None, :] - frames[:, None]).abs() / period).floor()
    return -head_slopes(num_heads).to(device)[:, None, None] * distance


class SelfAttention(nn.Module):
    """Multi-head self-attention with PyTorch's parameter layout."""

    def __init__(self, dim: int, num_heads: int, dropout: float = 0.0):
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Attended values (B, T, D) of x (B, T, D); `bias` (H, T, T) is added to the scores."""
        B, T, D = x.shape
        projected = F.linear(x, self.in_proj_weight, self.in_proj_bias)  # (B, T, 3D)
        query, key, value = projected.view(B, T, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)  # (B, H, T, D/H) each
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(x.dtype), dropout_p=dropout)
        return self.out_proj(attended.transpose(1, 2).reshape(B, T, D))


class TransformerEncoderLayer(nn.Module):
    """Attention, then a GELU feed-forward net, each added and then normalised (post-norm)."""

    def __init__(self, dim: int, num_heads: int, intermediate_size: int, dropout: float = 0.0):
        super().__init__()
        self.self_attn = SelfAttention(dim, num_heads, dropout)
        self.linear1 = nn.Linear(dim, intermediate_size)
        self.linear2 = nn.Linear(intermediate_size, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """(B, T, D) from x (B, T, D) and bias (H, T, T)."""
        x = self.norm1(x + self.dropout(self.self_attn(x, bias)))
        hidden = self.dropout(F.gelu(self.linear1(x)))
        return self.norm2(x + self.dropout(self.linear2(hidden)))


class TransformerEncoder(nn.Module):
    """Layers with a common distance bias; without final norm and positional encoding."""

    def __init__(
        self,
        num_layers: int,
        dim: int,
        num_heads: int,
        intermediate_size: int,
        dropout: float = 0.0,
        period: int = 1,
    ):
        super().__init__()
        self.num_heads = num_heads
        self.period = period
        self.layers = nn.ModuleList(
            TransformerEncoderLayer(dim, num_heads, intermediate_size, dropout) for _ in range(num_layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) from x (B, T, D), for any T."""
        bias = distance_bias(x.shape[1], self.num_heads, self.period, x.device)
        for layer in self.layers:
            x = layer(x, bias)
        return x
