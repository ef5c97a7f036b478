using Dashboard.Domain.Estimates;

namespace Dashboard.Domain.Tests.Estimates;

/// <summary>Models that published measurements speak of, as their <c>config.json</c> has them.</summary>
internal static class Published
{
    public static readonly ModelShape Qwen1B = new(1.837e9, 24, 2048, 5504, 2048, 2048, 151_936, false);
    public static readonly ModelShape Qwen7B = new(7.721e9, 32, 4096, 11_008, 4096, 4096, 151_936, false);
    public static readonly ModelShape Qwen14B = new(14.167e9, 40, 5120, 13_696, 5120, 5120, 152_064, false);
    public static readonly ModelShape Qwen72B = new(72.288e9, 80, 8192, 24_576, 8192, 8192, 152_064, false);
    public static readonly ModelShape Qwen25Of1B = new(1.544e9, 28, 1536, 8960, 1536, 256, 151_936, true);
    public static readonly ModelShape Llama2Of7B = new(6.738e9, 32, 4096, 11_008, 4096, 4096, 32_000, false);
    public static readonly ModelShape Llama2Of13B = new(13.016e9, 40, 5120, 13_824, 5120, 5120, 32_000, false);
    public static readonly ModelShape Llama3Of8B = new(8.030e9, 32, 4096, 14_336, 4096, 1024, 128_256, false);
    public static readonly ModelShape Llama3Of3B = new(3.213e9, 28, 3072, 8192, 3072, 1024, 128_256, true);
    public static readonly ModelShape Llama3Of70B = new(70.554e9, 80, 8192, 28_672, 8192, 1024, 128_256, false);
}
