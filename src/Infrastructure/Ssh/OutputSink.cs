namespace Dashboard.Infrastructure.Ssh;

/// <summary>Takes bytes as they come off the wire, on the receiving thread of the connection. What <paramref name="take"/> throws is kept for the command to fail with, and nothing further is taken.</summary>
internal sealed class OutputSink(OutputSink.Take take, Action failed) : Stream
{
    public delegate void Take(ReadOnlySpan<byte> bytes);

    private volatile Exception? _failure;

    public Exception? Failure => _failure;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_failure is not null)
        {
            return;
        }

#pragma warning disable CA1031 // whatever it is, it belongs to the command's caller and not to the receiving thread
        try
        {
            take(buffer);
        }
        catch (Exception error)
        {
            _failure = error;
            failed();
        }
#pragma warning restore CA1031
    }

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
