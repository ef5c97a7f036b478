using System.Text;
using CsCheck;
using Dashboard.Domain;
using Dashboard.Domain.Logs;
using Dashboard.Infrastructure.Logs;

namespace Dashboard.Infrastructure.Tests.Logs;

public sealed class LogStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("dashboard-logs-").FullName;
    private readonly JobId _job = new(Guid.NewGuid());
    private LogStore _store;

    public LogStoreTests() => _store = NewStore();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Folder => Path.Combine(_root, "logs", _job.ToString());

    [Fact]
    public async Task Lines_are_numbered_over_all_attempts_and_our_own_in_the_order_they_came()
    {
        await _store.AppendOursAsync(_job, 1, "Renting a machine", Ct);
        await AppendAsync(1, "step 1\nstep 2\n");
        await _store.AppendOursAsync(_job, 1, "The machine was taken away", Ct);
        await AppendAsync(2, "step 3\n");
        Assert.Equal(
            [(0, 1, LogSource.Ours, "Renting a machine"), (1, 1, LogSource.Program, "step 1"), (2, 1, LogSource.Program, "step 2"),
             (3, 1, LogSource.Ours, "The machine was taken away"), (4, 2, LogSource.Program, "step 3")],
            (await LinesAsync()).Select(line => (line.Number, line.Attempt, line.Source, line.Text)));
        Assert.Equal(["step 2", "The machine was taken away"], (await Feed.ReadAsync(_job, 2, 2, Ct)).Select(line => line.Text));
        Assert.Single(await Feed.ReadAsync(_job, 4, 50, Ct));
        Assert.Empty(await Feed.ReadAsync(_job, 5, 50, Ct));
    }

    [Fact]
    public async Task Bytes_already_stored_are_dropped_and_a_gap_is_refused()
    {
        await AppendAsync(1, "one\n");
        await _store.AppendAsync(_job, 1, 2, "e\ntwo\n"u8.ToArray(), Ct);
        await _store.AppendAsync(_job, 1, 0, "one\n"u8.ToArray(), Ct);
        Assert.Equal(8, (await Assert.ThrowsAsync<LogGap>(() => _store.AppendAsync(_job, 1, 9, "x"u8.ToArray(), Ct))).Stored);
        Assert.Equal("one\ntwo\n"u8.ToArray(), await _store.ReadBytesAsync(_job, 1, 0, 100, Ct));
        Assert.Equal("two"u8.ToArray(), await _store.ReadBytesAsync(_job, 1, 4, 3, Ct));
        Assert.Empty(await _store.ReadBytesAsync(_job, 1, 8, 3, Ct));
        Assert.Equal(["one", "two"], await TextsAsync());
    }

    [Fact]
    public async Task A_last_line_without_line_end_is_a_line_once_the_attempt_is_sealed()
    {
        await AppendAsync(1, "done\nlast words");
        Assert.Equal(["done"], await TextsAsync());
        await _store.SealAsync(_job, 1, Ct);
        await _store.SealAsync(_job, 1, Ct);
        Assert.Equal(["done", "last words"], await TextsAsync());
        Kill();
        Assert.Equal(["done", "last words"], await TextsAsync());
    }

    [Fact]
    public async Task A_line_of_100_MiB_is_one_line_of_16_KiB_to_a_viewer_and_whole_on_disk()
    {
        var chunk = new byte[1024 * 1024];
        Array.Fill(chunk, (byte)'x');
        for (var i = 0; i < 100; i++)
        {
            await _store.AppendAsync(_job, 1, (long)i * chunk.Length, chunk, Ct);
        }

        await AppendAsync(1, "\nnext\n");
        var lines = await TextsAsync();
        Assert.Equal([16 * 1024, 4], lines.Select(line => line.Length));
        Assert.EndsWith("…", lines[0], StringComparison.Ordinal);
        Assert.Equal(100L * chunk.Length + 6, await _store.LengthAsync(_job, 1, Ct));
    }

    [Fact]
    public async Task A_long_progress_line_shows_its_last_state()
    {
        await AppendAsync(1, string.Concat(Enumerable.Range(0, 101).Select(i => $"\r{i}% {new string('#', 2000)}")) + "\n");
        Assert.StartsWith("100% #", Assert.Single(await TextsAsync()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("tab\there", "tab\there")]
    [InlineData("windows\r", "windows")]
    [InlineData(" 10%\r 50%\r100%", "100%")]
    [InlineData("\u001b[1;31mred\u001b[0m text", "red text")]
    [InlineData("\u001b]0;title\u0007shown", "shown")]
    [InlineData("\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link")]
    [InlineData("\u001b]52;c;aGFjaw==", "")]
    [InlineData("a\u001b[2J\u001b[Hb", "ab")]
    [InlineData("a\u001b(Bb\u001b7c", "abc")]
    [InlineData("a\u001b", "a")]
    [InlineData("bell\u0007 nul\0", "bell␇ nul␀")]
    [InlineData("\u202Egpj.exe\u2066x\u200F", "\uFFFDgpj.exe\uFFFDx\uFFFD")]
    [InlineData("c1 \u009b31m", "c1 \uFFFD31m")]
    [InlineData("line\u2028sep", "line\uFFFDsep")]
    [InlineData("<script>alert(1)</script>", "<script>alert(1)</script>")]
    [InlineData("grün 🙂", "grün 🙂")]
    public void A_line_is_shown_as_harmless_text(string raw, string shown) => Assert.Equal(shown, LogText.Of(Encoding.UTF8.GetBytes(raw)));

    [Fact]
    public void Bytes_that_are_not_UTF8_are_shown_as_replacement_characters() =>
        Assert.Equal("a\uFFFDb\uFFFD", LogText.Of([(byte)'a', 0xff, (byte)'b', 0xe2, 0x82]));

    [Fact]
    public void Any_bytes_give_bounded_text_without_control_characters() =>
        Gen.Byte.Array[0, 200].Sample(raw =>
        {
            var text = LogText.Of(raw);
            return text.Length <= LogText.MaxChars && !text.Any(c => char.IsControl(c) && c != '\t');
        }, iter: 20_000);

    [Fact]
    public async Task Whatever_a_crash_cuts_off_the_index_is_found_again_in_the_bytes()
    {
        await AppendAsync(1, "a\nbb\n");
        await _store.AppendOursAsync(_job, 1, "ours", Ct);
        await AppendAsync(1, "ccc\npart");
        await AppendAsync(2, "dd\n");
        var texts = await TextsAsync();
        _store.Dispose();
        var index = await File.ReadAllBytesAsync(Path.Combine(Folder, "index"), Ct);
        Assert.Equal(5 * 32, index.Length);
        for (var kept = 0; kept <= index.Length; kept++)
        {
            await File.WriteAllBytesAsync(Path.Combine(Folder, "index"), index[..kept], Ct);
            Kill();
            var found = await TextsAsync();
            Assert.Equal(texts.Take(kept / 32), found.Take(kept / 32));
            Assert.Equal(texts.Order(), found.Order());
            Assert.Equal(13, await _store.LengthAsync(_job, 1, Ct));
        }

        await AppendAsync(1, "ly\n");
        Assert.Contains("partly", await TextsAsync());
    }

    [Fact]
    public async Task Damage_at_any_byte_of_the_index_loses_no_line()
    {
        await AppendAsync(1, "a\nbb\nccc\n");
        _store.Dispose();
        var path = Path.Combine(Folder, "index");
        var index = await File.ReadAllBytesAsync(path, Ct);
        Gen.Select(Gen.Int[0, index.Length - 1], Gen.Byte[1, 255], Gen.Int[0, 40]).Sample((at, flip, garbage) =>
        {
            var damaged = index.Concat(new byte[garbage]).ToArray();
            damaged[at] ^= flip;
            File.WriteAllBytes(path, damaged);
            using var store = NewStore();
            return store.Of(_job).Read(0, 10, long.MaxValue).Select(line => line.Text).SequenceEqual(["a", "bb", "ccc"]);
        }, iter: 300, threads: 1);
    }

    [Fact]
    public async Task A_raw_file_cut_anywhere_goes_on_from_its_length()
    {
        const string all = "alpha\nbeta\ngamma\n";
        await AppendAsync(1, all);
        _store.Dispose();
        var index = await File.ReadAllBytesAsync(Path.Combine(Folder, "index"), Ct);
        for (var kept = 0; kept <= all.Length; kept++)
        {
            await File.WriteAllBytesAsync(Path.Combine(Folder, "attempt-1.log"), Encoding.ASCII.GetBytes(all[..kept]), Ct);
            await File.WriteAllBytesAsync(Path.Combine(Folder, "index"), index, Ct);
            Kill();
            Assert.Equal(kept, await _store.LengthAsync(_job, 1, Ct));
            await AppendAsync(1, all[kept..]);
            Assert.Equal(["alpha", "beta", "gamma"], await TextsAsync());
        }
    }

    [Fact]
    public void However_bytes_are_cut_into_chunks_the_lines_are_the_same() =>
        Gen.Select(Gen.OneOf(Gen.Const((byte)'\n'), Gen.Byte[(byte)'a', (byte)'e']).Array[0, 60], Gen.Int[1, 7]).Sample((bytes, size) =>
        {
            var job = new JobId(Guid.NewGuid());
            for (var at = 0; at < bytes.Length; at += size)
            {
                _store.Append(job, 1, at, bytes.AsSpan(at, Math.Min(size, bytes.Length - at)));
            }

            _store.Of(job).Seal(1);
            var expected = Encoding.ASCII.GetString(bytes).Split('\n');
            var stored = _store.Of(job).Read(0, 1000, long.MaxValue).Select(line => line.Text);
            _store.Close(job);
            return stored.SequenceEqual(expected[^1].Length == 0 ? expected[..^1] : expected);
        }, iter: 300);

    [Fact]
    public async Task Two_followers_see_each_line_once_and_in_order_while_it_is_written()
    {
        const int lines = 3000;
        var followers = Enumerable.Range(0, 2).Select(_ => FollowAsync(0, lines)).ToArray();
        for (var i = 0; i < lines; i++)
        {
            await AppendAsync(1, $"{i}\n");
        }

        foreach (var seen in await Task.WhenAll(followers))
        {
            Assert.Equal(Enumerable.Range(0, lines), seen.Select(line => line.Number));
            Assert.Equal(Enumerable.Range(0, lines).Select(i => $"{i}"), seen.Select(line => line.Text));
        }
    }

    [Fact]
    public async Task A_follower_slower_than_the_program_gets_larger_batches_and_no_gap()
    {
        var seen = new List<LogLine>();
        await AppendAsync(1, "0\n");
        await using var batches = Feed.FollowAsync(_job, 0, Ct).GetAsyncEnumerator(Ct);
        Assert.True(await batches.MoveNextAsync());
        seen.AddRange(batches.Current);
        await AppendAsync(1, string.Concat(Enumerable.Range(1, 12_000).Select(i => $"{i}\n"))); // while the reader is busy
        var calls = 0;
        while (seen.Count < 12_001)
        {
            Assert.True(await batches.MoveNextAsync());
            seen.AddRange(batches.Current);
            calls++;
        }

        Assert.Equal(Enumerable.Range(0, 12_001).Select(i => $"{i}"), seen.Select(line => line.Text));
        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task A_follower_that_leaves_is_let_go()
    {
        using var leaving = new CancellationTokenSource();
        var following = Task.Run(async () =>
        {
            await foreach (var batch in Feed.FollowAsync(_job, 0, leaving.Token))
            {
                Assert.NotEmpty(batch);
            }
        }, Ct);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private LogFeed Feed => new(_store, TimeProvider.System);

    private LogStore NewStore() => new(new DataDirectory(_root), TimeProvider.System);

    /// <summary>What a kill leaves is what the files hold.</summary>
    private void Kill()
    {
        _store.Dispose();
        _store = NewStore();
    }

    private async Task AppendAsync(int attempt, string text) =>
        await _store.AppendAsync(_job, attempt, await _store.LengthAsync(_job, attempt, Ct), Encoding.UTF8.GetBytes(text), Ct);

    private async Task<IReadOnlyList<LogLine>> LinesAsync() => await Feed.ReadAsync(_job, 0, await Feed.CountAsync(_job, Ct), Ct);

    private async Task<List<string>> TextsAsync() => (await LinesAsync()).Select(line => line.Text).ToList();

    private async Task<List<LogLine>> FollowAsync(int from, int until)
    {
        var seen = new List<LogLine>();
        await foreach (var batch in Feed.FollowAsync(_job, from, Ct))
        {
            seen.AddRange(batch);
            if (seen.Count >= until)
            {
                break;
            }
        }

        return seen;
    }
}
