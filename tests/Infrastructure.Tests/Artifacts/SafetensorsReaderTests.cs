using CsCheck;
using Dashboard.Infrastructure.Artifacts;

namespace Dashboard.Infrastructure.Tests.Artifacts;

public sealed class SafetensorsReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dashboard-adapter-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_good_file_gives_its_tensors_and_metadata()
    {
        var header = await ReadAsync(Safetensors.Of(("a", [2, 2], [1, 2, 3, 4]), ("empty", [0, 5], []), ("scalar", [], [7])));
        Assert.Equal(["a", "empty", "scalar"], header.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(16, header.Tensors[0].Bytes);
        Assert.Equal("pt", header.Metadata["format"]);
        Assert.Empty((await ReadAsync(Safetensors.Raw("{}", []))).Tensors);
        Assert.Single((await ReadAsync(Safetensors.Raw("""{"x":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}""", [0, 0]))).Tensors);
    }

    [Theory]
    [InlineData("", 0, "begin with {")]
    [InlineData(" {}", 0, "begin with {")]
    [InlineData("[]", 0, "begin with {")]
    [InlineData("{", 0, "not JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "not JSON")]
    [InlineData("""{"a":1}""", 0, "is missing")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1]}}""", 1, "data_offsets is missing")]
    [InlineData("""{"a":{"dtype":"Q7","shape":[1],"data_offsets":[0,1]}}""", 1, "unknown dtype")]
    [InlineData("""{"a":{"dtype":5,"shape":[1],"data_offsets":[0,1]}}""", 1, "dtype is not text")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "not a whole number")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", 1, "not a whole number")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1, "not a range")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}""", 1, "not a range")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}}""", 0, "not a range")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "do not hold")]
    [InlineData("""{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}""", 1, "do not hold")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "hole or overlap")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "hole or overlap")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 2, "its tensors end")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}""", 2, "its tensors end")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "strings by name")]
    [InlineData("""{"__metadata__":[]}""", 0, "strings by name")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "")]
    public async Task A_broken_header_is_refused(string header, int buffer, string why) =>
        Assert.Contains(why, (await Assert.ThrowsAsync<BrokenSafetensors>(() => ReadAsync(Safetensors.Raw(header, new byte[buffer])))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Lengths_that_lie_are_refused()
    {
        await Assert.ThrowsAsync<BrokenSafetensors>(() => ReadAsync([1, 0, 0]));
        await Assert.ThrowsAsync<BrokenSafetensors>(() => ReadAsync(Safetensors.Raw("{}", [], length: 3)));
        await Assert.ThrowsAsync<BrokenSafetensors>(() => ReadAsync(Safetensors.Raw("{}", [], length: ulong.MaxValue)));
        await Assert.ThrowsAsync<BrokenSafetensors>(() => ReadAsync(Safetensors.Raw("{}", [], length: 100_000_001)));
    }

    [Fact]
    public async Task However_a_good_file_is_damaged_the_answer_is_a_header_or_a_refusal()
    {
        var good = Safetensors.Adapter();
        await Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length], Gen.Bool).SampleAsync(async (at, value, kept, cut) =>
        {
            var bytes = cut ? good[..kept] : [.. good];
            if (at < bytes.Length)
            {
                bytes[at] = value;
            }

            try
            {
                var header = await ReadAsync(bytes);
                foreach (var tensor in header.Tensors)
                {
                    await SafetensorsReader.SampleAsync(new MemoryStream(bytes), tensor, Ct);
                }
            }
            catch (BrokenSafetensors)
            {
            }
        }, iter: 20_000);
    }

    [Fact]
    public async Task A_trained_adapter_is_good() =>
        Assert.Equal(new AdapterVerdict.Good(1, 2, 12, "tiny"), await VerifyAsync(Safetensors.Config, Safetensors.Adapter()));

    [Fact]
    public async Task An_adapter_whose_every_B_is_zero_of_either_sign_is_untrained()
    {
        Assert.Equal(new AdapterVerdict.Untrained(1), await VerifyAsync(Safetensors.Config, Safetensors.Adapter(0f)));
        Assert.Equal(new AdapterVerdict.Untrained(1), await VerifyAsync(Safetensors.Config, Safetensors.Adapter(-0f)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public async Task Values_that_are_not_numbers_break_an_adapter(float b) =>
        Assert.Contains("NaN", await BrokenAsync(Safetensors.Config, Safetensors.Adapter(b)), StringComparison.Ordinal);

    [Fact]
    public async Task An_adapter_must_be_what_its_configuration_says()
    {
        Assert.Contains("rank 4", await BrokenAsync(Safetensors.Config.Replace("\"r\":2", "\"r\":4", StringComparison.Ordinal), Safetensors.Adapter()), StringComparison.Ordinal);
        Assert.Contains("v_proj", await BrokenAsync(Safetensors.Config.Replace("q_proj", "v_proj", StringComparison.Ordinal), Safetensors.Adapter()), StringComparison.Ordinal);
        Assert.Contains("only one of A and B", await BrokenAsync(Safetensors.Config, Safetensors.Of(("m.q_proj.lora_A.weight", [2, 3], [1, 2, 3, 4, 5, 6]))), StringComparison.Ordinal);
        Assert.Contains("no LoRA", await BrokenAsync(Safetensors.Config, Safetensors.Of(("x", [1], [1]))), StringComparison.Ordinal);
        Assert.Contains("not of a LoRA", await BrokenAsync("{}", Safetensors.Adapter()), StringComparison.Ordinal);
        Assert.Contains("no rank", await BrokenAsync("""{"peft_type":"LORA"}""", Safetensors.Adapter()), StringComparison.Ordinal);
        await BrokenAsync("not json", Safetensors.Adapter());
        await BrokenAsync(Safetensors.Config, [1, 2, 3]);
    }

    [Fact]
    public async Task A_folder_without_adapter_says_what_is_missing() =>
        Assert.Equal(new AdapterVerdict.Broken("adapter_config.json is missing"), await AdapterCheck.VerifyAsync(_folder, Ct));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Task<SafetensorsHeader> ReadAsync(byte[] bytes) => SafetensorsReader.ReadHeaderAsync(new MemoryStream(bytes), Ct);

    private async Task<AdapterVerdict> VerifyAsync(string config, byte[] tensors)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "adapter_config.json"), config, Ct);
        await File.WriteAllBytesAsync(Path.Combine(_folder, "adapter_model.safetensors"), tensors, Ct);
        return await AdapterCheck.VerifyAsync(_folder, Ct);
    }

    private async Task<string> BrokenAsync(string config, byte[] tensors) => Assert.IsType<AdapterVerdict.Broken>(await VerifyAsync(config, tensors)).Why;
}
